/** Whether a flag of the environment is on: set to anything but nothing, 0 and false. */
export function isSet(flag: string | undefined): boolean {
  return !["", "0", "false"].includes((flag ?? "").toLowerCase());
}
