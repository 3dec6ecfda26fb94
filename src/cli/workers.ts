/** Threads a pipeline may have: key groups are 128, and beyond 64 workers each holds too few. */
export const WORKERS_MAX = 64
