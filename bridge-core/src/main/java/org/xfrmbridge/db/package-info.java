/**
 * The databases: Sad, Spd, flow cache, socket policies. The control thread writes, datapath threads look up without a
 * lock.
 */
package org.xfrmbridge.db;
