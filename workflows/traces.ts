/**
 * Where an error was thrown, and who called that; more is not kept. Of every promise the SDK takes the stack, for a query that nobody asks,
 * and looks each frame up in the bundle's source map: with ten frames, V8's own choice, a replay takes 1.7 times as long (`npm run -s bench -- replay`).
 */
Error.stackTraceLimit = 2;
