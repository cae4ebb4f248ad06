/** Stored bytes are not what was written, or are not there. There is no repair: the value is not served, and a backup has to be restored. */
export class DamagedStore extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DamagedStore";
  }
}

/** A state was written in another format than this program reads. It is sound, and is left as it is. */
export class OtherFormat extends DamagedStore {
  constructor(message: string) {
    super(message);
    this.name = "OtherFormat";
  }
}

/** There is no store in a directory where one was to be read. */
export class NoStore extends Error {
  constructor(dir: string) {
    super(`${dir} holds no store`);
    this.name = "NoStore";
  }
}
