/** Unix seconds, with fractions. */
export type Clock = () => number;
