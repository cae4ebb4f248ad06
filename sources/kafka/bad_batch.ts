/** A record batch that cannot be taken apart: damaged, of an unknown codec, or larger inside than it may be. Never a record of its own. */
export class BadBatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BadBatch";
  }
}
