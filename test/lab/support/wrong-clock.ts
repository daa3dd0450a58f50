/** A machine whose clock is wrong, for the programs that it starts: what they take for now is so many ms off. */
const shifting = (off: number): string =>
  `const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) { if (given.length === 0) super(Real.now() + ${off}); else super(...given); }
  static now() { return Real.now() + ${off}; }
};`;

/** Environment in which Node.js takes the time to be `off` ms later than it is. */
export const wrongClock = (off: number): { readonly NODE_OPTIONS: string } => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shifting(off))}`,
});
