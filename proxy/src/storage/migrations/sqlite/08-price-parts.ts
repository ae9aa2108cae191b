/** Prices of the owner's. */
export const PRICE_PARTS: readonly string[] = [
  // What is priced apart from text, as JSON: {audioInput, audioOutput, imageInput, imageOutput, items}, those that are set.
  `
  ALTER TABLE prices ADD COLUMN parts TEXT;
  `,
]
