/**
 * Redis answers before its replicas have a write: https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
 * A primary that is killed takes with it what it answered in its last moment and had not yet sent, which
 * is a request or two of each writer.
 */
export const AS_REPLICATION_ALLOWS = { load: { writers: 6 }, mayLose: 12 } as const
