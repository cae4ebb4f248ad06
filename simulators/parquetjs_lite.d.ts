// The part of parquetjs-lite 0.8.7 in use; the package has no types of its own.
declare module "parquetjs-lite" {
  interface Field {
    readonly type: "UTF8" | "DOUBLE" | "INT32" | "BOOLEAN" | "DATE";
    readonly optional?: boolean;
    readonly statistics?: boolean;
  }
  class ParquetSchema {
    constructor(fields: Readonly<Record<string, Field>>);
  }
  class ParquetWriter {
    static openFile(
      schema: ParquetSchema,
      path: string,
      options?: { pageIndex?: boolean; useDataPageV2?: boolean },
    ): Promise<ParquetWriter>;
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  const parquet: { readonly ParquetSchema: typeof ParquetSchema; readonly ParquetWriter: typeof ParquetWriter };
  export default parquet;
}
