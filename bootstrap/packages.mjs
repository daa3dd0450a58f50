/** Installs the repository's packages when they are missing or belong to another package-lock.json. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "./lock.mjs";

/** A message for a person; nobody needs its stack. */
export class SetupError extends Error {}

const readIfThere = (file) => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  }
};

const hash = (text) => createHash("sha256").update(text).digest("hex");

/**
 * Tells whether npm's own record of what is installed agrees with a lock file, as after `npm install`. What is optional
 * may be missing, or more than the lock file knows: it is for other systems.
 */
export const isInstalled = (lockText, installedText) => {
  if (installedText === undefined) return false;
  const wanted = JSON.parse(lockText).packages;
  const installed = JSON.parse(installedText).packages;
  const fits = ([path, { version, integrity, optional, devOptional }]) => {
    const there = installed[path];
    if (there === undefined) return path === "" || optional === true || devOptional === true;
    return there.version === version && there.integrity === integrity;
  };
  return (
    Object.entries(wanted).every(fits) &&
    Object.entries(installed).every(([path, { optional }]) => path in wanted || optional === true)
  );
};

/** A line on standard error with the seconds that pass, live where that can be seen. */
const showProgress = (title) => {
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;
  const { stderr } = process;
  const draw = () => stderr.write(`\r… ${title}  ${seconds()}`);
  const timer = stderr.isTTY ? setInterval(draw, 500) : undefined;
  if (!stderr.isTTY) stderr.write(`… ${title}\n`);
  return (sign) => {
    clearInterval(timer);
    stderr.write(`${stderr.isTTY ? "\r\u001B[K" : ""}${sign} ${title}  ${seconds()}\n`);
  };
};

/**
 * Not `npm ci`: that refuses a lock file without the optional packages of every other system, and some registries do not
 * have those. `--no-save` leaves the lock file as it is; `isInstalled` checks afterwards that it was followed.
 */
const npmInstall = (root) =>
  new Promise((resolve) => {
    const args = [
      "install",
      "--no-save",
      "--include=dev",
      "--include=optional",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    const child = spawn("npm", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => said.push(piece));
    const end = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, end);
    child.once("error", (error) => resolve({ ok: false, said: error.message }));
    child.once("close", (code, signal) => {
      for (const name of ["SIGINT", "SIGTERM"]) process.off(name, end);
      resolve({ ok: code === 0, signal, said: Buffer.concat(said).toString() });
    });
  });

const failure = ({ signal, said }) => {
  if (signal) return `npm was ended by ${signal}.`;
  const tail = said.trimEnd().split("\n").slice(-15).join("\n");
  return `npm failed:\n${tail}\nRun the same command again when that is solved.`;
};

const install = async (root) => {
  const done = showProgress("installing packages (npm)");
  const result = await npmInstall(root);
  done(result.ok ? "✓" : "✗");
  if (!result.ok) throw new SetupError(failure(result));
};

/** npm does not link a package's own program; with this, `npx holdfast` works inside the repository. */
const linkProgram = (root) => {
  const bin = join(root, "node_modules", ".bin");
  const link = join(bin, "holdfast");
  const target = join("..", "..", "bin", "holdfast.mjs");
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true || readlinkSync(link) !== target) {
    mkdirSync(bin, { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(target, link);
  }
};

const pathsBelow = (root) => ({
  lock: join(root, "package-lock.json"),
  installed: join(root, "node_modules", ".package-lock.json"),
  /** Holds the hash of the lock file that was installed last. */
  record: join(root, "node_modules", ".holdfast-lock"),
});

const installWhenNeeded = async (root) => {
  const { lock, installed, record } = pathsBelow(root);
  const lockText = readFileSync(lock, "utf8");
  const wanted = hash(lockText);
  if (readIfThere(record) === wanted) return;
  if (!isInstalled(lockText, readIfThere(installed))) {
    // Gone before npm begins, so that nobody takes a half-filled folder for a complete one.
    rmSync(record, { force: true });
    await install(root);
    if (!isInstalled(lockText, readIfThere(installed)))
      throw new SetupError(
        "npm installed other packages than package-lock.json names. Does it belong to package.json?",
      );
  }
  writeFileSync(record, wanted);
};

/** Makes node_modules fit package-lock.json. Quick and quiet when it does. Throws a SetupError when npm fails. */
export const ensurePackages = async (root) => {
  const { lock, record } = pathsBelow(root);
  if (readIfThere(record) !== hash(readFileSync(lock, "utf8"))) {
    const lockFile = join(tmpdir(), `holdfast-install-${hash(root).slice(0, 16)}.lock`);
    const onWait = (pid) => process.stderr.write(`… waiting for process ${pid}, which installs the packages\n`);
    await withLock(lockFile, () => installWhenNeeded(root), { onWait });
  }
  linkProgram(root);
};
