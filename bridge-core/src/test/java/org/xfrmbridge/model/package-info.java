/** Random operations against naive models: how they are run, and cut down when one of them fails. */
package org.xfrmbridge.model;
