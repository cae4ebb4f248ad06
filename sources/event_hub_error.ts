/** What codes of the library mean to people. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["UnauthorizedError", "its credentials are refused"],
  ["MessagingEntityNotFoundError", "there is no such hub, or no such consumer group"],
  ["ServerBusyError", "it is throttled"],
]);

/** The code of an error of the library; empty: it has none. */
export function hubErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** What an error of the library says, in one line. */
export function hubErrorText(error: unknown): string {
  const said = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
  const meaning = MEANINGS.get(hubErrorCode(error));
  return meaning === undefined ? said : `${meaning} (${said})`;
}
