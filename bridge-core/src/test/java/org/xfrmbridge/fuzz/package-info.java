/**
 * What the fuzz targets of all modules share: the form of an input, the corpus, and a look at the databases before and
 * after.
 */
package org.xfrmbridge.fuzz;
