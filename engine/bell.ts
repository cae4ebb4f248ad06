/** Wakes one waiting loop. Rings are not counted: many before a `heard` are one. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring. Ask for it before looking for work: a ring in between is then not lost. */
  heard(): Promise<void>;
}

export function bell(): Bell {
  let ring = (): void => {};
  let heard: Promise<void> | null = null;
  return {
    ring() {
      heard = null;
      ring();
    },
    heard() {
      heard ??= new Promise((resolve) => {
        ring = resolve;
      });
      return heard;
    },
  };
}
