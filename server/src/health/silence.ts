import type { Health } from '@malleus/shared/api/health.ts'

/** Why a server gives no answer now, as a sentence; null while it does. */
export function silenceOf({ standing, symptom }: Pick<Health, 'standing' | 'symptom'>): string | null {
  if (standing === 'untrusted' || symptom === 'wrong-certificate') return 'The server presents a wrong certificate.'
  switch (symptom) {
    case 'stuck':
      return 'The server is stuck.'
    case 'refusing':
      return 'The server refuses connections.'
    case 'unreachable':
      return 'The server is unreachable.'
    case 'starting':
      return 'The server is starting.'
    case 'slow':
    case 'old-certificate':
    case 'database':
    case 'unauthorized':
    case null:
      return standing === 'ejected' ? 'The server does not answer.' : null
  }
}
