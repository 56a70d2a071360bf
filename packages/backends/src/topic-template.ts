/** What would end or widen a level of a topic. */
const NOT_IN_A_LEVEL = /[+#/]|\p{Cc}/u;

/**
 * A topic with values in the place of its placeholders.
 *
 * @param template - checked already: it has no placeholder that has no value
 * @param values - by placeholder
 * @throws RangeError where a value that the template uses cannot stand in a topic
 */
export function fillTopic(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (_, placeholder: string) => {
    const value = values[placeholder] ?? "";
    if (value !== "" && !NOT_IN_A_LEVEL.test(value)) return value;
    throw new RangeError(
      `The topic ${template} cannot be used: {${placeholder}} is ${JSON.stringify(value)}, ` +
        "but a level of a topic cannot be empty, nor hold + # / or control characters",
    );
  });
}
