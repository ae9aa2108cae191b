/**
 * A text of somebody outside, which is kept to be shown to people and for nothing else (a name, what a server answered): what no
 * database keeps alike becomes U+FFFD, so that nobody keeps a unit from being committed by how they are called.
 */
export const keptText = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')
