import type { Span } from './incident.ts'

/** Keeps when the console watched each cluster, beyond the life of the process. */
export interface WatchedTimesStore {
  /** The times of all runs, oldest first. */
  read(cluster: string): Promise<readonly Span[]>
  /** Notes until when the run that began then has watched. */
  write(cluster: string, watched: Span): Promise<void>
  /** Forgets runs that ended before that time. */
  prune(cluster: string, before: number): Promise<void>
}
