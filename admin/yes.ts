/** Whether somebody who was asked back has said yes. */
export function isYes(said: string): boolean {
  return /^y(es)?$/i.test(said.trim());
}
