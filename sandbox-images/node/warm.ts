// Loaded once before the run, so that Node has its TypeScript loader ready when the code comes.
const warm: number = 1

export { warm }
