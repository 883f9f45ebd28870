import type { KeptIncident } from './incident.ts'

/** Which incidents are wanted, newest first. */
export interface IncidentFilter {
  readonly member: string | null
  /** Whether those that were nothing but a doubt are wanted too. */
  readonly doubts: boolean
  /** Only those that began before that time, in milliseconds since 1970; null for the newest. */
  readonly before: number | null
}

/** Keeps incidents beyond the life of the process. */
export interface IncidentStore {
  /** Writes the incidents, each in the place of what was there of it. */
  write(cluster: string, incidents: readonly KeptIncident[]): Promise<void>
  get(cluster: string, id: string): Promise<KeptIncident | null>
  /** Those that were not over when they were last written. */
  open(cluster: string): Promise<readonly KeptIncident[]>
  list(cluster: string, filter: IncidentFilter, most: number): Promise<readonly KeptIncident[]>
  /** How many began at that time or later, and before the end of the filter, that were nothing but a doubt. */
  countDoubts(cluster: string, filter: Omit<IncidentFilter, 'doubts'>, from: number): Promise<number>
  /** Forgets what was over before that time, and of the others all but the latest `most`. */
  prune(cluster: string, before: number, most: number): Promise<void>
}
