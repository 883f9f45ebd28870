import type { Standing } from '@malleus/shared/domain/health.ts'

/** The worst standing of one member in one piece of time. Pieces are counted from 1970. */
export interface HistoryPiece {
  readonly member: string
  readonly piece: number
  readonly standing: Standing
}

/** Keeps the health history of clusters beyond the life of the process. */
export interface HealthHistoryStore {
  /** Writes the pieces, in the place of what was there for the same member and time. */
  write(cluster: string, pieces: readonly HistoryPiece[]): Promise<void>
  /** Everything from that piece on. */
  read(cluster: string, fromPiece: number): Promise<readonly HistoryPiece[]>
  /** Forgets what is older than that piece. */
  prune(cluster: string, beforePiece: number): Promise<void>
}
