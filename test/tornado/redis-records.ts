/** The keys of the sessions in a Redis; not those of the registry, the index and the events. */
export function recordKeys(client: {
  keys(pattern: string): Promise<string[]>
}): Promise<string[]> {
  return client.keys('sojourn:{*}*')
}
