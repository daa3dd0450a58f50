#!/usr/bin/env node
/** Runs the CLI from its sources, from any folder. */
import { register } from "tsx/esm/api";

register();
await import(new URL("../src/main.ts", import.meta.url).href);
