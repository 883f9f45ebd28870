import type { ProbePiece } from './probe-piece.ts'

/** What the probes of one member showed in the time from `at` on, `pieceMs` long. */
export interface KeptPiece {
  readonly member: string
  readonly pieceMs: number
  readonly at: number
  readonly piece: ProbePiece
}

/** Keeps the record of probes beyond the life of the process. */
export interface ProbeHistoryStore {
  /** Writes the pieces, all or none, in the place of what was there for the same member and time. */
  write(cluster: string, pieces: readonly KeptPiece[]): Promise<void>
  /** Every piece of one member and one length from that time on, oldest first. */
  read(cluster: string, pieceMs: number, member: string, from: number): Promise<readonly KeptPiece[]>
  /** The pieces of all members that begin at one moment. */
  readAt(cluster: string, pieceMs: number, at: number): Promise<readonly KeptPiece[]>
  /** Forgets the pieces of one length that begin before that time. */
  prune(cluster: string, pieceMs: number, before: number): Promise<void>
}
