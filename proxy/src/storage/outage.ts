import { AppError } from '../kernel/index.ts'

/** What whoever runs the daemon is told of it: once that the database cannot be used, and once that it can again. */
export interface OutageListener {
  began(error: AppError): void
  ended(): void
}

/** What units meet, each for itself, as one outage: a thousand that fail while it lasts say nothing new. */
export interface OutageWatch {
  failed(kind: 'read' | 'write', error: unknown): void
  succeeded(kind: 'read' | 'write'): void
}

export function createOutageWatch(listener: OutageListener | undefined): OutageWatch {
  /** A full disk is read on: each kind ends by itself. */
  const out = new Set<'read' | 'write'>()
  return {
    failed(kind, error) {
      if (!(error instanceof AppError) || error.code !== 'storage_unavailable') return
      if (out.size === 0) listener?.began(error)
      out.add(kind)
    },
    succeeded(kind) {
      // On the way of every unit.
      if (out.size > 0 && out.delete(kind) && out.size === 0) listener?.ended()
    },
  }
}
