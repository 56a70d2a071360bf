import * as z from "zod/mini";
import { type About, about } from "./about.ts";

/** What may stand in every template, in braces. */
const PLACEHOLDERS = ["system_identifier", "client_id"];

/**
 * A topic in which `{placeholder}` stands for a value.
 *
 * @param more - placeholders that it may hold besides those that every template may
 */
export function topicTemplate(key: About, more: readonly string[] = []) {
  const allowed = [...PLACEHOLDERS, ...more];
  return z.string().check(
    z.minLength(1),
    z.maxLength(512),
    about(key),
    z.superRefine((template, { addIssue }) => {
      const complaint = complaintAbout(template, allowed);
      if (complaint !== undefined) addIssue(complaint);
    }),
  );
}

function complaintAbout(template: string, allowed: readonly string[]): string | undefined {
  const unknown = [...template.matchAll(/\{([^{}]*)\}/g)].find(([, name = ""]) => !allowed.includes(name));
  if (unknown !== undefined) {
    const known = allowed.map((name) => `{${name}}`).join(", ");
    return `must be a topic with no placeholder but ${known}: ${unknown[0]} is none of them`;
  }
  if (/[{}]/.test(template.replaceAll(/\{[^{}]*\}/g, "")))
    return "must be a topic in which braces come in pairs, around a placeholder";
  if (/[+#]/.test(template)) return "must be one topic, without the wildcards + and #";
  if (template !== "" && template.split("/").includes(""))
    return "must be a topic without empty levels: no / at an end, no //";
  if (/\p{Cc}/u.test(template)) return "must be a topic without control characters";
  return undefined;
}
