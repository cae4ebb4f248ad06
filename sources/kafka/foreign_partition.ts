/** The consumer group is another engine's: what it has read is in its state, not in ours. Waiting does not help, so it is no outage. */
export class ForeignPartition extends Error {
  constructor(name: string, group: string, owner: string) {
    super(`${name} is read by the group ${group} for the store ${owner}, not for this one: give this source a group of its own`);
    this.name = "ForeignPartition";
  }
}
