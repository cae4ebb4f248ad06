import { asCommandError, CommandError, type CommandErrorOptions, type ErrorCode } from "../errors.ts";

/** An error with an HTTP status of its own. */
export class Refusal extends CommandError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    { headers = {}, ...options }: CommandErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.headers = headers;
  }
}

/** Any error as a refusal: what went wrong inside says no more than that it did. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { code, message, hint, candidates } = asCommandError(error);
  const headers = STATUS[code] === 503 ? { "Retry-After": "1" } : {};
  const shown = code === "INTERNAL" ? "internal error: the log of the daemon says more" : message;
  return new Refusal(STATUS[code], code, shown, { hint, candidates, headers, cause: error });
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  USAGE: 400,
  REFUSED: 403,
  NOT_FOUND: 404,
  ASSERTION: 500,
  INTERNAL: 500,
  CONFIG: 500,
  RETRY: 503,
  UNREACHABLE: 503,
};
