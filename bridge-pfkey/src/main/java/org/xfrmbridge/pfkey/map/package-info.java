/** Between PF_KEY's structures and the core's values. Decides nothing but what a number means. */
package org.xfrmbridge.pfkey.map;
