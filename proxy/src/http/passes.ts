/** Whether an assertion holds, where whoever asks has nobody to tell why not. */
export function passes(assertion: () => void): boolean {
  try {
    assertion()
    return true
  } catch {
    return false
  }
}
