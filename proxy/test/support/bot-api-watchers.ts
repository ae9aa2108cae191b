import { patience } from './pace.ts'

/** Waits for something to come true, looked at upon each change; `describe` tells in the failure what there was instead. */
export function createWatchers(describe: () => string) {
  const watchers = new Set<() => void>()
  const changed = (): void => {
    for (const watcher of [...watchers]) watcher()
  }
  const waitFor = <T>(
    check: () => T | undefined | false | Promise<T | undefined | false>,
    what: string,
    timeoutMs = patience(8_000),
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const take = (found: T | undefined | false): void => {
        if (!found) return
        stop()
        resolve(found)
      }
      const fail = (error: unknown): void => {
        stop()
        reject(error as Error)
      }
      const look = (): void => {
        const found = check()
        if (found instanceof Promise) found.then(take, fail)
        else take(found)
      }
      const stop = (): void => {
        clearTimeout(timer)
        clearInterval(again)
        watchers.delete(look)
      }
      const timer = setTimeout(() => {
        stop()
        reject(new Error(`waited ${timeoutMs} ms for ${what}; ${describe()}`))
      }, timeoutMs)
      // Some checks look at more than this server.
      const again = setInterval(look, 25)
      watchers.add(look)
      look()
    })
  return { changed, waitFor }
}
