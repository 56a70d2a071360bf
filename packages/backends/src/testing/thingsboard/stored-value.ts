/*
 * How the server stores a value, written from its side and apart from the code of the node that it checks.
 */

/** A value as the server stores it. */
export interface StoredValue {
  type: "long" | "double" | "string" | "boolean" | "json";
  value: unknown;
}

/** A number as it stood in the payload: the server looks at its digits, which a double does not keep. */
export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): number {
    return Number(this.text);
  }
}

/**
 * Stores a value as the server does.
 *
 * @param typeCast - its setting for texts that are numbers, and for numbers that it has no type for; on by default
 * @returns a text where the server refuses the payload with all that is in it
 */
export function storeValue(value: unknown, typeCast: boolean): StoredValue | string {
  if (value instanceof WrittenNumber) return storeNumber(value.text, typeCast);
  if (typeof value === "boolean") return { type: "boolean", value };
  if (typeof value === "object") return { type: "json", value: JSON.parse(JSON.stringify(value)) };
  const text = String(value);
  const number = typeCast && /^-?(\d+\.?\d*|\.\d+)$/.test(text) && !text.endsWith(".");
  const stored = number ? storeNumber(text, false) : undefined;
  return typeof stored === "object" ? stored : { type: "string", value: text };
}

function storeNumber(text: string, typeCast: boolean): StoredValue | string {
  const { digits, scale } = readDecimal(text);
  const isWhole = scale <= 0 || /^-?0*$/.test(digits) || new RegExp(`0{${scale}}$`).test(digits);
  const isSimpleDouble = text.includes(".") && !/e/i.test(text);
  if (isWhole && !isSimpleDouble) {
    const whole = wholeOf(digits, scale);
    if (whole >= -(2n ** 63n) && whole < 2n ** 63n) return { type: "long", value: Number(whole) };
  } else if (scale <= 16) return { type: "double", value: Number(text) };
  if (!typeCast) return `the number ${text} is too long`;
  return { type: "string", value: text };
}

/** A number as its digits, and how many of them stand behind the decimal point. */
function readDecimal(text: string): { digits: string; scale: number } {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return { digits: whole + fraction, scale: fraction.length - Number(exponent) };
}

function wholeOf(digits: string, scale: number): bigint {
  const number = BigInt(digits === "" || digits === "-" ? "0" : digits);
  return scale <= 0 ? number * 10n ** BigInt(-scale) : number / 10n ** BigInt(scale);
}
