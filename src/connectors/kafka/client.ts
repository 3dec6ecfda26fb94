/** The client package, as it is imported when the first table is opened: its name stands here and where that is done. */
export type KafkaClient = typeof import('@platformatic/kafka')
