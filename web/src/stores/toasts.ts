import { createStore } from '../lib/store.ts'

export interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad' | 'info'
  readonly title: string
  readonly text?: string | undefined
}

export const toasts = createStore<readonly Toast[]>([])

let lastId = 0

/** Tells something once, outside the page's own flow. At most four stay; the oldest makes room. */
export function showToast(toast: Omit<Toast, 'id'>): void {
  lastId += 1
  const added = { ...toast, id: lastId }
  toasts.set((previous) => [...previous.slice(-3), added])
}

export function dismissToast(id: number): void {
  toasts.set((previous) => previous.filter((toast) => toast.id !== id))
}
