// What a column is, as its node in linear memory says.
// @ts-nocheck: compiled by asc, not by tsc

export const BOOLEAN = 1, TINYINT = 2, SMALLINT = 3, INT = 4, BIGINT = 5, FLOAT = 6, DOUBLE = 7, DECIMAL = 8, DECIMAL_WIDE = 9, STRING = 10,
  BINARY = 11, DATE = 12, TIME = 13, TIMESTAMP = 14, TIMESTAMP_LTZ = 15, ROW = 16, ARRAY = 17, MAP = 18;
