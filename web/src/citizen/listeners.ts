export interface Listeners<News> {
  /** @returns how to stop hearing */
  add(listener: (news: News) => void): () => void
  tell(news: News): void
}

/** Who wants to hear of something. */
export function createListeners<News>(): Listeners<News> {
  const listeners = new Set<(news: News) => void>()
  return {
    add(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(news) {
      for (const listener of listeners) listener(news)
    },
  }
}
