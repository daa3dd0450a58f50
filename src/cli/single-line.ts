/** One line of text from anything: control characters in names of files and the like must not reach the terminal. */
export const singleLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
