/** Leaves out of a list what it takes none of to fail, one item after the other, until `isOver`. */
export const narrow = async <T>(
  items: readonly T[],
  fails: (fewer: readonly T[]) => Promise<boolean>,
  isOver: () => boolean,
): Promise<readonly T[]> => {
  let left = items;
  for (let index = items.length - 1; index >= 0 && !isOver(); index -= 1) {
    const fewer = left.filter((_, position) => position !== index);
    if (await fails(fewer)) left = fewer;
  }
  return left;
};
