/** How a list stands: never loaded, loading over what is shown, or settled (full, empty or failed). */
export type Loading = 'first' | 'again' | 'done';
