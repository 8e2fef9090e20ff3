/** Read by svelte-check, the editor and the Vite plugin alike. */
export default { compilerOptions: { runes: true } }
