/** Holds a guarded claim that is being deleted until its bytes are known to be safe. */
export const guardFinalizer = "holdfast.dev/guard";
