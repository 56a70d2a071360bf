import { readFileSync } from "node:fs";
import { cancel, isCancel, password, select, text } from "@clack/prompts";

/** What the options of `setup` say about the configuration; each is a question in a terminal. */
export interface SetUpAnswers {
  config?: string;
  systemIdentifier?: string;
  backend?: string;
  host?: string;
  port?: string;
  tls?: string;
  clientId?: string;
  username?: string;
  passwordFile?: string;
  updateFrom?: string;
  updateHost?: string;
  repository?: string;
  accessTokenFile?: string;
}

type Name = keyof SetUpAnswers;

/** Answers questions: by an option, else by a person, else by what is usual. */
export class Answers {
  readonly #given: SetUpAnswers;
  readonly #interactive: boolean;
  readonly #missing: Name[] = [];

  constructor(given: SetUpAnswers, interactive: boolean) {
    this.#given = given;
    this.#interactive = interactive;
  }

  /** @param usual - without one there must be an answer */
  async text(name: Name, message: string, usual?: string): Promise<string> {
    const given = this.#given[name];
    if (given !== undefined) return given;
    if (!this.#interactive) return usual ?? this.#miss(name);
    const required = usual === undefined ? { validate: someText } : { initialValue: usual };
    return answered(await text({ message, ...required }));
  }

  async choice<Value extends string>(
    name: Name,
    message: string,
    choices: readonly { value: Value; label: string }[],
    usual?: Value,
  ): Promise<Value> {
    const given = this.#given[name] as Value | undefined;
    if (given !== undefined) return given;
    if (!this.#interactive) return usual ?? (this.#miss(name) as Value);
    const options = choices.map(({ value, label }) => ({ value: value as string, label }));
    return answered(await select({ message, options })) as Value;
  }

  /** The option names a file, so that a secret is in no process list; an empty text is none. */
  async secret(name: Name, message: string): Promise<string> {
    const file = this.#given[name];
    if (file !== undefined) return readFileSync(file, "utf8").trim();
    return this.#interactive ? answered(await password({ message })) : "";
  }

  /** @throws Error which names the options whose answers are missing */
  check(): void {
    if (this.#missing.length === 0) return;
    const options = this.#missing.map(optionOf).join(", ");
    throw new Error(
      `It is not known how the node shall be configured: say ${options}, or answer in a terminal`,
    );
  }

  #miss(name: Name): string {
    this.#missing.push(name);
    return "";
  }
}

function optionOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function someText(value: string | undefined): string | undefined {
  return value?.trim() ? undefined : "An answer is needed";
}

function answered(answer: string | symbol | undefined): string {
  if (isCancel(answer)) {
    cancel("The set-up was cancelled; run it again to go on");
    process.exit(130);
  }
  return String(answer ?? "").trim();
}
