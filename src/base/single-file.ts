/** Whether this runs from a compiled single file rather than from its sources. */
export const IS_SINGLE_FILE: boolean = import.meta.dirname.startsWith("/$bunfs/");
