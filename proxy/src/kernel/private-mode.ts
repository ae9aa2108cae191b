/**
 * Files readable by other users (CWE-732): what is wrong with the mode of a file that holds secrets, for a person;
 * undefined where it is its owner's alone.
 */
export function openToOthers(path: string, mode: number): string | undefined {
  if ((mode & 0o077) === 0) return undefined
  return `${path} can be read by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${path}`
}
