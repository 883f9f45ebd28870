import type { KeptPathIncident } from './path-incident.ts'

/** Keeps what incidents did to paths beyond the life of the process. */
export interface PathIncidentStore {
  /** Writes each in the place of what was there of it. */
  write(cluster: string, incidents: readonly KeptPathIncident[]): Promise<void>
  /** The latest of each path, newest first. */
  latest(cluster: string, most: number): Promise<readonly KeptPathIncident[]>
  /** Forgets what began before that time, in milliseconds since 1970. */
  prune(cluster: string, before: number): Promise<void>
}
