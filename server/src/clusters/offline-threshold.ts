/** What Incus uses while nothing is set (`cluster.offline_threshold` in internal/server/cluster/config/config.go). */
const defaultSeconds = 20

/**
 * How many seconds after its last heartbeat the cluster calls a server Offline, from the configuration that a server
 * told; null where it may not be seen. An empty configuration is one that may not be seen, not one without settings.
 */
export function offlineThresholdSeconds(config: Readonly<Record<string, unknown>> | null): number | null {
  if (config === null || Object.keys(config).length === 0) return null
  const set = config['cluster.offline_threshold']
  if (set === undefined || set === '') return defaultSeconds
  const seconds = Number(set)
  return Number.isInteger(seconds) && seconds > 0 ? seconds : null
}
