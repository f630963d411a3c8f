/** The databases of the slides: Sad, Spd, flow cache, socket policies. */
package org.xfrmbridge.db;
