/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Where: the keys from the top, with dots between them; empty for the whole. */
  path: string;
  /** What came and what is allowed. */
  problem: string;
}

/** A configuration that cannot be used; says where it came from and everything that is wrong with it. */
export class ConfigError extends Error {
  readonly code = "IVY_CONFIG_INVALID";
  override readonly name = "ConfigError";
  readonly source: string;
  readonly problems: readonly ConfigProblem[];

  /** @param source - file, or another name of where the configuration came from */
  constructor(source: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ path, problem }) => `  ${path === "" ? "" : `${path}: `}${problem}`);
    super(`${source} cannot be used:\n${lines.join("\n")}`, options);
    this.source = source;
    this.problems = problems;
  }
}
