/** A way in for updates: long polling or webhook. */
export interface Receiver extends AsyncDisposable {
  start(): void
  readonly connected: boolean
}
