package stack

// WriteSources is what a start does for [Changed].
var WriteSources = writeSources
