/** Programs of Flink that do not do the same here, on purpose, by id: what a user gets, or writes, instead. */
export const DIFFERENT: Readonly<Record<string, string>> = {
  'changelog-normalize-upsert-filter-watermark':
    'a filter means the same wherever it runs: CURRENT_WATERMARK is the watermark of the rows before, and Flink asks for it within the normalisation of the upsert table, where it stays NULL',
  'correlate-with-literal-agg':
    'the table is the same; Flink reads its three sources in an order in which rows are told, taken back and told again',
  expand:
    'the table is the same; distinct-agg.split is a hint how to compute, and Flink then tells rows of which one aggregate is there before the other',
  'sort-asc':
    'a stream has no end at which all of it could be sorted (Flink allows it by an option of its own tests): ORDER BY an ascending event time, or with LIMIT, runs, and a bounded query sorts by anything',
  'sink-overwrite':
    'INSERT OVERWRITE would replace what a table holds at each start, after a crash too (Flink refuses it for streaming files): INSERT INTO, into an empty table',
  'table-source-scan-source-watermark':
    'no source here tells a watermark of its own: WATERMARK FOR ts AS ts says the same of rows in order',
}
