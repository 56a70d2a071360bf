const CUT_MARK = "\n[...] cut by the node";

/**
 * The longest beginning of a text that fits, with a mark behind it; never cut in the middle of a character.
 *
 * @param fits - whether a text fits; if it does, so do all that are shorter
 * @returns nothing where not even the mark fits
 */
export function longestThatFits(text: string, fits: (text: string) => boolean): string | undefined {
  const cut = (length: number) => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "") + CUT_MARK;
  if (!fits(cut(0))) return undefined;
  let [known, tooLong] = [0, text.length + 1];
  while (tooLong - known > 1) {
    const middle = Math.floor((known + tooLong) / 2);
    if (fits(cut(middle))) known = middle;
    else tooLong = middle;
  }
  return cut(known);
}
